"""An AWS endpoint on loopback: moto in server mode, with what Wavelength sites need on top.

It is for trying and testing. It listens on 127.0.0.1 only, never talks to AWS, and keeps its account in a directory: every
request that may change the account is journalled there, and a start on that directory replays the journal, so that a stop
and a start, or a ``kill -9``, keep the account with the same ids.

Run it with ``python -m edgelib.sandbox.aws --directory DIR``. Beside AWS's own calls it answers at ``/sandbox/health``,
``/sandbox/faults``, ``/sandbox/inventory``, ``/sandbox/calls`` and ``/sandbox/reset``.

How it is built: :mod:`.server` speaks HTTP, :mod:`.application` routes, :mod:`.account` serialises, journals and replays,
:mod:`.tunnels` lead to what serves at instances' private addresses, and the modules named after an AWS noun
(:mod:`.instances`, :mod:`.addresses`, ...) each extend moto's backend of that noun.
"""
