"""The use cases, in the order of the job. Imperative shell: load facts, ask the core, journal, call."""
