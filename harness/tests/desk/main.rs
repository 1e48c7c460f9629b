//! What the real binary does at the desk. One program has all of these, since each of them waits for storms far
//! more than it computes: they run side by side, and are linked once. Whoever needs the machine for itself, or
//! has a table to keep, is a program of its own beside this folder.

mod attacked;
mod called;
mod command_line;
mod documents;
mod evidence;
mod hostile_strings;
mod nothing_leaks;
mod preflight;
mod printed;
mod real_run;
mod rerun;
mod secrets_managers;
mod shell;
mod what_is_new;
