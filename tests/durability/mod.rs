//! What was acknowledged stays so: the program itself, killed, without its database, on a full disk.

mod calls;
mod client;
mod crash;
mod flush;
mod full_disk;
mod ledger;
mod load;
mod pairs;
mod restart;
mod session;
mod trace;
