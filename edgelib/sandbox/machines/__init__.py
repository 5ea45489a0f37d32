"""What emulated instances boot: reads user data as a first boot would, and acts out the Kubernetes found in it.

Pure: :mod:`.first_boot`, :mod:`.merging`, :mod:`.k3s`, :mod:`.k3s_files`, :mod:`.joining`, :mod:`.permissions`. With
effects: :mod:`.director` and what it uses. Nothing of a machine runs: user data's shell scripts are recognised, not executed.
"""
