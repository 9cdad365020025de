"""What is unsafe in an Envoy's configuration: pure judging of a bootstrap file or of a running Envoy's ``config_dump``.

``setup.py`` reads either form into one; ``effective.py`` says which settings hold on a route; ``listeners.py``,
``processing.py``, ``credentials.py`` and ``instance.py`` judge; ``findings.py`` has what they say, ``canaries.py``
requests that must be refused.
"""

from extproc.core.doctor.canaries import CANARIES, Canary, heard, untried
from extproc.core.doctor.examination import examined
from extproc.core.doctor.findings import Finding, Severity, merged
from extproc.core.doctor.instance import too_old
from extproc.core.doctor.setup import NotEnvoyError, Setup, from_bootstrap, from_dump

__all__ = [
    "CANARIES",
    "Canary",
    "Finding",
    "NotEnvoyError",
    "Setup",
    "Severity",
    "examined",
    "from_bootstrap",
    "from_dump",
    "heard",
    "merged",
    "too_old",
    "untried",
]
