import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import * as path from "node:path";

const CUTOVER = path.join(__dirname, "..", "..", "bin", "cutover");

function cutover(...args: string[]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [CUTOVER, ...args], {
        encoding: "utf8",
        env: { ...process.env, NO_COLOR: "1" },
    });
    return { status, stdout, stderr };
}

describe("the cutover command", () => {
    it("lists its verbs with --help and exits 0", () => {
        const { status, stdout } = cutover("--help");
        assert.equal(status, 0);
        assert.match(stdout, /^ {2}demo .*a blue\/green switch under load/m);
        assert.match(stdout, /^ {2}sandbox .*a real Kubernetes on this machine/m);
    });

    it("names the nearest verb for a misspelled one and exits 2", () => {
        const { status, stderr } = cutover("dmeo");
        assert.equal(status, 2);
        assert.match(stderr, /unknown command 'dmeo'\n\(Did you mean demo\?\)/);
    });

    it("refuses an unknown option of a verb with exit code 2 and without a stack", () => {
        const { status, stderr } = cutover("sandbox", "status", "--jsn");
        assert.equal(status, 2);
        assert.match(stderr, /unknown option '--jsn'/);
        assert.doesNotMatch(stderr, /\n\s+at /);
    });
});
