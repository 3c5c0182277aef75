"""What may go where, as people see it: moving aliases, promoting, rolling back, approving, deprecating, deleting.

It stands above comparisons, and shows by them what a move would replace. The rules of gates are in `catalog/gates/`,
the moves themselves in `catalog/recording/`; `promoting.facts` reads from the catalogue what rules ask (`GATE_FACTS` in
the settings names it, as the writes stand below).
"""
