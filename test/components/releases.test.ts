import assert from "node:assert/strict";
import { BlueGreen, type ReleaseArgs } from "../../components";
import { record, type Recording } from "../support/mocks";

const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const SECRET = "kubernetes:core/v1:Secret";
const CANARY = "s3cr3t-that-must-not-show";

const one: ReleaseArgs = {
    image: "api:1.0.0",
    files: { motd: "hello" },
    secrets: { token: CANARY },
};

/** Three declared releases, two of which run. */
const deploy = (first: ReleaseArgs = one): Promise<Recording> =>
    record(() => {
        const api = new BlueGreen("api", {
            releases: {
                "1.0.0": first,
                "2.0.0": { image: "api:2.0.0" },
                "0.9.0": { image: "api:0.9.0", files: { motd: "old" }, secrets: { token: "old" } },
            },
            blue: "1.0.0",
            green: "2.0.0",
        });
        return { url: api.url };
    });

const nameOf = (recording: Recording, type: string, name: string) =>
    recording.one(type, name).input("metadata.name") as string;

describe("releases", () => {
    it("keep the files and secrets of every declared release, running or not", async () => {
        const recording = await deploy();
        assert.deepEqual(
            recording.all(CONFIG_MAP).map(({ name }) => name),
            ["api-1.0.0-files", "api-0.9.0-files"],
        );
        assert.deepEqual(
            recording.all(SECRET).map(({ name }) => name),
            ["api-1.0.0-secrets", "api-0.9.0-secrets"],
        );
        const files = recording.one(CONFIG_MAP, "api-1.0.0-files");
        assert.deepEqual(files.input("data"), { motd: "hello" });
        assert.equal(files.input("immutable"), true);
        assert.equal(files.input("metadata.namespace"), "endpoint-stats");
    });

    it("are mounted by the side that runs them", async () => {
        const recording = await deploy();
        const volumes = (side: string) =>
            JSON.stringify(
                recording
                    .one("kubernetes:apps/v1:Deployment", `api-${side}`)
                    .input("spec.template.spec.volumes"),
            );
        assert.match(volumes("blue"), /"name":"api-1\.0\.0-files-[0-9a-f]{10}"/);
        assert.match(volumes("blue"), /"secretName":"api-1\.0\.0-secrets-[0-9a-f]{10}"/);
        assert.doesNotMatch(volumes("green"), /files|secrets/);
    });

    it("are named by their content, whatever the order of their keys", async () => {
        const files = (content: Record<string, string>) => deploy({ ...one, files: content });
        const name = (recording: Recording) => nameOf(recording, CONFIG_MAP, "api-1.0.0-files");
        const plain = name(await files({ a: "1", b: "2" }));
        assert.equal(name(await files({ b: "2", a: "1" })), plain);
        assert.notEqual(name(await files({ a: "1", b: "3" })), plain);
        assert.notEqual(name(await files({ a: "12", b: "" })), plain);
    });

    it("have their secrets encrypted in the state, and nowhere else", async () => {
        const recording = await deploy();
        const secret = recording.one(SECRET, "api-1.0.0-secrets");
        assert.deepEqual(secret.secrets, ["stringData"]);
        assert.deepEqual(secret.input("stringData"), { token: CANARY });
        const others = recording.resources.filter(({ id }) => id !== secret.id);
        assert.doesNotMatch(JSON.stringify(others), new RegExp(CANARY));
    });

    it("run under an account of their own that may do nothing", async () => {
        const recording = await deploy();
        const account = recording.one("kubernetes:core/v1:ServiceAccount");
        assert.equal(account.input("metadata.name"), "api");
        assert.equal(account.input("automountServiceAccountToken"), false);
    });
});
