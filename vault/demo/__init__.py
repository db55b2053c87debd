"""The demo: a platform with a past, whose months were really metered, closed, charged and chased."""
