"""The project folder: what it declares, where its code comes from, and the spec that a deploy makes of it.

What the modules are about:

    checked_toml, definitions   obproject.toml and the asset_config.toml files, read and checked
    flow_code, workflows        what the code of flows declares, read without running it
    git, ci                     the branch and the commit that the code is at
    record                      the spec that a deploy posts
"""
