mod access;
mod bounds;
mod in_flight;
mod log;
mod quotas;
mod requests;
mod support;
mod wire;
