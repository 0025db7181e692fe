//! Rate limits: governor, in maps of bounded size.
