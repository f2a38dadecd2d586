-- Brings roles, passwords and grants to what the pod's environment and Secret say. Run at every
-- start, over the local socket, as the admin role, before the server listens: so it is idempotent,
-- and a volume that was kept, or a password that was changed, needs nothing else.
\set ON_ERROR_STOP on
-- An error shows neither the failing line nor its context: the line could hold a password.
\set VERBOSITY terse
\set SHOW_CONTEXT never
\set admin `printf %s "$POSTGRES_USER"`
\set api `printf %s "$API_USER"`
\set database `printf %s "$POSTGRES_DB"`
\set admin_password `cat "$POSTGRES_PASSWORD_FILE"`
\set api_password `cat "$API_PASSWORD_FILE"`

-- Whatever the volume's settings or the admin role's own ones are, this session's statements reach
-- neither the server's log nor its statistics.
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET log_min_duration_statement = -1;
SET log_min_duration_sample = -1;
SET log_transaction_sample_rate = 0;
SET debug_print_parse = off;
SET debug_print_rewritten = off;
SET debug_print_plan = off;
SET track_activities = off;
SET pg_stat_statements.track = 'none';
SET pgaudit.log = 'none';

SET password_encryption = 'scram-sha-256';
SET client_min_messages = 'warning';

BEGIN;
ALTER ROLE :"admin" LOGIN PASSWORD :'admin_password';
SELECT format('CREATE ROLE %I', :'api')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'api') \gexec
ALTER ROLE :"api" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
    PASSWORD :'api_password';
COMMIT;

SELECT format('CREATE DATABASE %I', :'database')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec

-- By default every role may connect to every database and make tables in its public schema.
BEGIN;
REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1, :"database" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"database" TO :"api";
COMMIT;

\connect -reuse-previous=on :"database"
SET client_min_messages = 'warning';
BEGIN;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO :"api";
-- Tables that the admin role made, by hand or for an earlier API.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"api";
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO :"api";
ALTER DEFAULT PRIVILEGES FOR ROLE :"admin" IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"api";
ALTER DEFAULT PRIVILEGES FOR ROLE :"admin" IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO :"api";
COMMIT;
