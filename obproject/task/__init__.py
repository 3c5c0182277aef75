"""The running task, from its first write to its end.

What the modules are about:

    running          the Metaflow task of this process, and its end
    journal_writer   each write stored in the task's metadata before it is sent
    artifacts        from an instance to the artifact behind it
    waiting          for an instance whose task is still running
    spinning         a step that is only tried out, and writes nothing
    failures         whether a step failed, and why
    run_facts        what the run was: who, when, which code; run_values: which parameters and configs
    first_report     these facts, told to each catalogue once
    process_session  the session of what this process writes other than as a task
"""
