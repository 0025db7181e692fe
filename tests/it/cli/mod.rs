//! The program as it is called: arguments in; text, files and an exit code out.

mod call;
mod catalogue;
mod configuration;
mod help;
mod output;
mod pairing;
mod running;
mod signing;
mod verifying;

use call::{Call, Out, call};
