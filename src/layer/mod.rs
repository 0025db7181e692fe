//! The tower layers, one file each, in the order of the stack.
