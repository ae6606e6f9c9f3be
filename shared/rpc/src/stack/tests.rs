mod access;
mod bounds;
mod log;
mod quotas;
mod support;
mod wire;
