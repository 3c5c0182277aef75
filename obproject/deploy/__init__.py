"""``obproject-deploy``: bring what a project folder declares to the branch of its code.

Everything is read, validated and compiled before anything is changed; then the catalogue gets all assets and the
description of the project in one request, the orchestrator its flows, and the apps run their commands.

    main                the program, from its options to its exit code
    options, projects   the command line, and the projects that it means
    plan                one project read and validated; apps, choice of the orchestrator
    metaflow_commands, deployers, airflow   Metaflow's commands
    deployment, result  the deployment itself, and its result
    gates               what the catalogue says of gates before they are declared
    difference          what would change
    teardown            taking down what was deployed from a branch
    report, summary, comments      for people, in the terminal and on the pages of a CI
"""
