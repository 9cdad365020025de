"""The ext_proc edge: Envoy's messages in, the corridor's commands out."""
