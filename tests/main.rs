//! Every flow of the server, one module each.
