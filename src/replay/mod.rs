//! Replay protection: what was delivered already, and what is being delivered right now.
