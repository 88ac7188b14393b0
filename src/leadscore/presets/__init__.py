"""Settings for the exports of known CRMs: TOML and SQL, no code."""
