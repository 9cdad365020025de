"""Audit events in the words of the Open Cybersecurity Schema Framework, where a sink asks for them."""

from extproc.core.ocsf.mapping import ocsf_event

__all__ = ["ocsf_event"]
