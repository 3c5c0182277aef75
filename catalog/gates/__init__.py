"""What may be aliased or promoted where: the rules of gates, as text, as objects, and as what they say of a version.

    grammar.py   text → a rule; where it can't be read: the column, and what could stand there
    rules.py     what a rule is
    declared.py  `[gates]` of an asset: which rules hold for an alias, or for a promotion into the branch
    facts.py     what rules ask of a version, and of what it is compared with
    judging.py   a gate and the facts → a judgement
    judgement.py what each rule said, as JSON and as sentences

Pure: no Django, no database. The facts are read by the room that stands above the catalogue (`GATE_FACTS` in the
settings names it), the judge is asked by `catalog/recording/gating.py`, in the transaction that moves.
"""
