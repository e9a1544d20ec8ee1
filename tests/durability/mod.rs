//! What was acknowledged stays so: the program itself, killed, without its database, on a full disk.

mod calls;
mod client;
mod commits;
mod crash;
mod database;
mod flush;
mod full_disk;
mod ledger;
mod load;
mod pairs;
pub(crate) mod proxy;
mod restart;
mod session;
mod stop;
mod trace;
