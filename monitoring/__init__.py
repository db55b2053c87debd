"""Monitoring: invariants, heartbeats, the state of queues and workers."""
