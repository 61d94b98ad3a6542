"""What `tools/doctor.py` is made of: facts (probing the installation) -> findings (what is
wrong, and the command that mends it). Standard library only: it is run when nothing works.
"""
