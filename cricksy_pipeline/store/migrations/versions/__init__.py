"""The revisions, oldest to newest: g2h3i4j5k6l7 (baseline), h3i4j5k6l7m8 (six fields), i4j5k6l7m8n9 (the pipeline)."""
