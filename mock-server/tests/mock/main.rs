//! The mock from outside: a raw client, and what the recorder got to see.

mod faults;
mod manners;
mod rig;
mod routes;
mod wire;
