// lane: shared, about 15 s
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as path from "node:path";

const MODULE = path.join(__dirname, "..", "..", "sandbox", "cluster");
/** The first run compiles Kubernetes' client library for tests; Go keeps results after that. */
const TIMEOUT_MS = 10 * 60_000;

describe("the sandbox's own programs", function () {
    this.timeout(TIMEOUT_MS);

    it("pass their Go tests: certificates, images, volumes, node ports", async () => {
        const { code, output } = await go(["test", "-trimpath", "./internal/..."]);
        assert.equal(code, 0, output);
        for (const name of ["agent", "image", "pki"]) {
            assert.match(
                output,
                new RegExp(`^ok\\s+cutover\\.local/cluster/internal/${name}\\b`, "m"),
            );
        }
    });
});

function go(args: string[]): Promise<{ code: number | null; output: string }> {
    // The same settings as the build's, so that what that compiled is not compiled again.
    const env = { ...process.env, CGO_ENABLED: "0", GOWORK: "off" };
    const child = spawn("go", args, { cwd: MODULE, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    }
    return new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (code) => resolve({ code, output }));
    });
}
