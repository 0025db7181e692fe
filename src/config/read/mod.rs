//! From text to raw tables, with all problems of the text at once.

mod include;
mod later;
mod message;
mod prune;
mod syntax;
mod tables;

pub(super) use self::{
    include::{Files, read_all},
    message::meant,
};
