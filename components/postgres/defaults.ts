/**
 * The database's defaults. "Document" is the deployment guide that the components model; where no
 * reason is given, the value is the guide's.
 */

/** Name of the StatefulSet, of its headless Service and of the container, and the `app` label. */
export const POSTGRES_NAME = "postgres";

/** The labels of the server's pods that never change: for Services, NetworkPolicies and the like. */
export const POSTGRES_SELECTOR = { app: POSTGRES_NAME };

/** The host that the API is configured to connect to: the guide's alias Service. */
export const ALIAS_NAME = "db";

export const IMAGE = "postgres:14";
export const PORT = 5432;
export const DATABASE = "endpoint_stats";

/** The superuser that the volume is initialised with. */
export const ADMIN_USER = "admin";

/** The API's own role: it owns nothing but its tables, so a stolen API password is not the server's. */
export const API_USER = "endpoint_stats_api";

export const SECRET_NAME = "postgres-secret";
export const ADMIN_PASSWORD_KEY = "password";
export const API_PASSWORD_KEY = "api-password";

/** The Secret that a password from the stack config is kept in; the key is also a user's Secret's. */
export const EXTERNAL_SECRET_NAME = "database-secret";
export const EXTERNAL_PASSWORD_KEY = "password";

/** The Secrets of a color's own namespace: `db-secret-blue`, with the second document's key `url`. */
export const COLOR_SECRET_NAME = "db-secret";
export const URL_KEY = "url";
export const COLOR_PASSWORD_KEY = "password";

export { CLUSTER_DOMAIN } from "../defaults";

/** 32 letters and digits are 190 bits, and need no escaping in SQL, URLs and shells. */
export const PASSWORD_LENGTH = 32;

/** Annotation of pods that must restart when the passwords change. */
export const CREDENTIALS_HASH = "cutover.dev/credentials-hash";

export const CLAIM_NAME = "postgres-data";
export const STORAGE = "10Gi";
export const DATA_PATH = "/var/lib/postgresql/data";

/** A folder inside the volume: a volume's root may hold `lost+found`, and initdb wants it empty. */
export const PGDATA = `${DATA_PATH}/pgdata`;

/**
 * User, group and fsGroup: above 10000, so that no user of a node has the same number. The image
 * need not know it, the start files bring a name for it. Fixed, since the volume's files belong to it.
 */
export const RUN_AS_USER = 10999;

/** Folders that must be writable beside the volume, and no more than this. */
export const SOCKET_PATH = "/var/run/postgresql";
export const SOCKET_SIZE_LIMIT = "16Mi";
export const TMP_PATH = "/tmp";
export const TMP_SIZE_LIMIT = "64Mi";

export const START_FILES_PATH = "/etc/cutover/postgres";
export const CREDENTIALS_PATH = "/etc/cutover/postgres-credentials";

/**
 * For the volume's own pg_hba.conf, which counts for someone who starts it without our files: no
 * `trust` there either. C.UTF-8 sorts the same in every image, so an index never outlives its order.
 */
export const INITDB_ARGUMENTS =
    "--auth-local=peer --auth-host=scram-sha-256 --data-checksums --encoding=UTF8 --locale=C.UTF-8";

/** 128 MiB of shared buffers and up to 100 connections fit; the guide gives no numbers. */
export const RESOURCES = {
    requests: { memory: "256Mi", cpu: "100m", "ephemeral-storage": "64Mi" },
    limits: { memory: "512Mi", cpu: "1", "ephemeral-storage": "256Mi" },
} as const;

/** "It has started": ten minutes, because recovery after a crash replays the log and must not be cut. */
export const STARTUP_PROBE = {
    periodSeconds: 1,
    timeoutSeconds: 3,
    failureThreshold: 600,
} as const;

/** "It takes connections": out of the Services after about 10 s of failures. */
export const READINESS_PROBE = {
    periodSeconds: 5,
    timeoutSeconds: 3,
    failureThreshold: 2,
} as const;

/** "The server process hangs": restarted after about a minute of failures. */
export const LIVENESS_PROBE = {
    periodSeconds: 20,
    timeoutSeconds: 5,
    failureThreshold: 3,
} as const;

/** From the fast shutdown to SIGKILL, in seconds: its checkpoint writes all that is in memory. */
export const TERMINATION_GRACE_PERIOD_SECONDS = 120;

/**
 * How long `up` waits for the pod: enough for a slow image pull. A long recovery goes on after it, and a
 * wrong image must not hold the stack's lock for as long as that may take.
 */
export const UP_DEADLINE = "5m";
