//! What is told about decisions: metrics, audit lines, logs.
