import assert from "node:assert/strict";
import { parse } from "yaml";
import { accessFrom } from "../../components/postgres/access";
import { createDatabase } from "../../components/postgres/create";
import { differences, type Json } from "../support/documents";
import { record, type Recording } from "../support/mocks";

/** The first document's database, as it stands there. */
const STATEFUL_SET = parse(`
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: postgres
  namespace: endpoint-stats
spec:
  serviceName: "postgres"
  replicas: 1
  selector:
    matchLabels:
      app: postgres
  template:
    metadata:
      labels:
        app: postgres
    spec:
      containers:
      - name: postgres
        image: postgres:14
        env:
        - name: POSTGRES_DB
          value: endpoint_stats
        - name: POSTGRES_USER
          value: admin
        - name: POSTGRES_PASSWORD
          valueFrom:
            secretKeyRef:
              name: postgres-secret
              key: password
        ports:
        - containerPort: 5432
          name: postgres
        volumeMounts:
        - name: postgres-data
          mountPath: /var/lib/postgresql/data
  volumeClaimTemplates:
  - metadata:
      name: postgres-data
    spec:
      accessModes: ["ReadWriteOnce"]
      resources:
        requests:
          storage: 10Gi
`);

/** Its alias, from the section "Database Service Alias". */
const ALIAS = parse(`
apiVersion: v1
kind: Service
metadata:
  name: db
  namespace: endpoint-stats
spec:
  selector:
    app: postgres
  ports:
  - port: 5432
    targetPort: 5432
  type: ClusterIP
`);

/** What the second document's containers know of their database. */
const ENVIRONMENT = parse(`
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: db-secret-blue
      key: url
`);

describe("the documents' database", () => {
    let recording: Recording;

    before(async () => {
        recording = await record(() => {
            const database = createDatabase("postgres", { namespace: "endpoint-stats" });
            const color = { namespace: "endpoint-stats-blue", color: "blue", urlAsEnv: true };
            const { secretEnv } = accessFrom(database, color);
            return { secretEnv };
        });
    });

    const rendered = (type: string, name: string) =>
        recording.one(`kubernetes:${type}`, name).inputs as Json;

    it("is the StatefulSet, value by value, but for how it gets its password", () => {
        const ours = rendered("apps/v1:StatefulSet", "postgres-server");
        const container = "spec.template.spec.containers.postgres";
        const password = `${container}.env.POSTGRES_PASSWORD`;
        assert.deepEqual(differences(STATEFUL_SET, ours), [
            [`${password}.name`, "POSTGRES_PASSWORD"],
            [`${password}.valueFrom.secretKeyRef.name`, "postgres-secret"],
            [`${password}.valueFrom.secretKeyRef.key`, "password"],
        ]);
        // The same Secret and key, as a file: see docs/decisions/postgres-start.md.
        const file = "POSTGRES_PASSWORD_FILE";
        const { containers, volumes } = ours.spec.template.spec;
        const { value: path } = containers[0].env.find((v: Json) => v.name === file);
        const folder = path.slice(0, path.lastIndexOf("/"));
        const mount = containers[0].volumeMounts.find((m: Json) => m.mountPath === folder);
        const { secret } = volumes.find((v: Json) => v.name === mount.name);
        assert.equal(secret.secretName, "postgres-secret");
        assert.deepEqual(secret.items[0], { key: "password", path: "password" });
        assert.ok(path.endsWith("/password"));
    });

    it("has the Secret with that key, and no password in any manifest", () => {
        const secret = recording.one("kubernetes:core/v1:Secret", "postgres-secret");
        assert.equal(secret.input("metadata.name"), "postgres-secret");
        assert.equal(typeof secret.input("data.password"), "string");
        assert.deepEqual(secret.secrets, ["data"]);
    });

    it("is reached through the alias, value by value", () => {
        assert.deepEqual(differences(ALIAS, rendered("core/v1:Service", "postgres-db")), []);
    });

    it("has the headless Service that the StatefulSet names", () => {
        const headless = rendered("core/v1:Service", "postgres-postgres");
        assert.equal(headless.metadata.name, STATEFUL_SET.spec.serviceName);
        assert.equal(headless.spec.clusterIP, "None");
    });

    it("is known to a color as the second document has it, where that is asked for", () => {
        const [{ name, valueFrom }] = ENVIRONMENT;
        const { secretEnv } = recording.outputs as Json;
        const { secretName, key } = secretEnv[name];
        assert.deepEqual({ name: secretName, key }, valueFrom.secretKeyRef);
        const secret = recording.one("kubernetes:core/v1:Secret", "database-blue");
        assert.equal(secret.input("metadata.name"), secretName);
        assert.equal(typeof secret.input(`data.${key}`), "string");
    });

    it("would be told apart by any other value", () => {
        const ours = rendered("core/v1:Service", "postgres-db");
        for (const [path] of differences(ALIAS, {})) {
            const changed = structuredClone(ALIAS);
            const keys = path.split(".");
            const last = keys.pop() as string;
            keys.reduce((inner, key) => inner[key], changed)[last] = "changed";
            assert.deepEqual(differences(changed, ours), [[path, "changed"]]);
        }
    });
});
