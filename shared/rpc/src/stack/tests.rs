mod access;
mod bounds;
mod log;
mod support;
mod wire;
