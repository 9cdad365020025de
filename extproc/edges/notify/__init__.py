"""Telling approvers that a request waits: Slack, a signed webhook, mail."""
