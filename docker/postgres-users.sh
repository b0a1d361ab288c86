#!/bin/sh
# Run once by the image `postgres` when its volume is empty: the owner of the schema and the login.
set -eu
psql -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
  -v owner_password="${OWNER_PASSWORD:?is not set}" -v login_password="${LOGIN_PASSWORD:?is not set}" <<'SQL'
create role likeness_owner login createrole password :'owner_password';
create role likeness_login login password :'login_password';
create database likeness owner likeness_owner;
SQL
