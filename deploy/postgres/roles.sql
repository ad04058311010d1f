-- Roles and schemas for a PostgreSQL server (15 or later) where the user of DATABASE_URL may not make roles.
-- Run it once as a superuser in the database meant for AgentLattice, with a password of your own for each role:
--
--   psql "$SUPERUSER_URL" -v migrator=the_user_of_DATABASE_URL \
--     -v gateway_password=… \
--     -v policy_engine_password=… \
--     -v approval_service_password=… \
--     -v notifier_password=… \
--     -v audit_ledger_password=… -f deploy/postgres/roles.sql
--
-- Then start with DATABASE_URL (the migrator) and, for each service, its own URL in DATABASE_URL_GATEWAY,
-- DATABASE_URL_POLICY_ENGINE, DATABASE_URL_APPROVAL_SERVICE, DATABASE_URL_NOTIFIER and DATABASE_URL_AUDIT_LEDGER.
-- The migrator owns the tables; a service gets what the migrations grant to its role, and nothing of another schema.
\set ON_ERROR_STOP on
BEGIN;

SELECT current_database() AS database \gset
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT, CREATE ON DATABASE :"database" TO :"migrator";

CREATE ROLE al_gateway LOGIN PASSWORD :'gateway_password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
ALTER ROLE al_gateway IN DATABASE :"database" SET search_path = gateway;
GRANT CONNECT ON DATABASE :"database" TO al_gateway;
CREATE SCHEMA gateway AUTHORIZATION :"migrator";
GRANT USAGE ON SCHEMA gateway TO al_gateway;

CREATE ROLE al_policy_engine LOGIN PASSWORD :'policy_engine_password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
ALTER ROLE al_policy_engine IN DATABASE :"database" SET search_path = policy_engine;
GRANT CONNECT ON DATABASE :"database" TO al_policy_engine;
CREATE SCHEMA policy_engine AUTHORIZATION :"migrator";
GRANT USAGE ON SCHEMA policy_engine TO al_policy_engine;

CREATE ROLE al_approval_service LOGIN PASSWORD :'approval_service_password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
ALTER ROLE al_approval_service IN DATABASE :"database" SET search_path = approval_service;
GRANT CONNECT ON DATABASE :"database" TO al_approval_service;
CREATE SCHEMA approval_service AUTHORIZATION :"migrator";
GRANT USAGE ON SCHEMA approval_service TO al_approval_service;

CREATE ROLE al_notifier LOGIN PASSWORD :'notifier_password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
ALTER ROLE al_notifier IN DATABASE :"database" SET search_path = notifier;
GRANT CONNECT ON DATABASE :"database" TO al_notifier;
CREATE SCHEMA notifier AUTHORIZATION :"migrator";
GRANT USAGE ON SCHEMA notifier TO al_notifier;

CREATE ROLE al_audit_ledger LOGIN PASSWORD :'audit_ledger_password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
ALTER ROLE al_audit_ledger IN DATABASE :"database" SET search_path = audit_ledger;
GRANT CONNECT ON DATABASE :"database" TO al_audit_ledger;
CREATE SCHEMA audit_ledger AUTHORIZATION :"migrator";
GRANT USAGE ON SCHEMA audit_ledger TO al_audit_ledger;

-- The timers of BullMQ, where there is no Redis; the approval-service makes these tables itself.
CREATE SCHEMA approval_service_jobs AUTHORIZATION al_approval_service;

COMMIT;
