import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ensurePackages, findProgram } from "../../sandbox/images/packages";

describe("packages that a machine lacks", () => {
    const path0 = process.env.PATH;
    const getuid = process.getuid;
    let folder: string;

    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "packages-"));
        process.env.PATH = `${folder}:${path0}`;
    });
    afterEach(() => {
        process.env.PATH = path0;
        process.getuid = getuid;
        fs.rmSync(folder, { recursive: true });
    });

    /** A stand-in for apt-get that writes down what it is asked for. */
    function fakeApt(exitCode = 0): () => string[] {
        const log = path.join(folder, "log");
        const script = `#!/bin/sh\necho "$DEBIAN_FRONTEND $*" >> ${log}\necho "E: no" >&2\nexit ${exitCode}\n`;
        fs.writeFileSync(path.join(folder, "apt-get"), script, { mode: 0o755 });
        return () => (fs.existsSync(log) ? fs.readFileSync(log, "utf8").trim().split("\n") : []);
    }

    it("are installed together, each once, and only those", async () => {
        const asked = fakeApt();
        process.getuid = () => 0;
        await ensurePackages({
            sh: "dash",
            "no-such-a": "pkg-a",
            "no-such-b": "pkg-b",
            "no-such-c": "pkg-b",
        });
        assert.deepEqual(asked(), [
            "noninteractive update -q",
            "noninteractive install -y -q --no-install-recommends pkg-a pkg-b",
        ]);
    });

    it("cost nothing when all are there", async () => {
        const asked = fakeApt();
        await ensurePackages({ sh: "dash", tar: "tar" });
        assert.deepEqual(asked(), []);
    });

    it("are named, with the command, when the user may not install them", async () => {
        const asked = fakeApt();
        process.getuid = () => 1000;
        await assert.rejects(ensurePackages({ "no-such-a": "pkg-a" }), {
            name: "CliError",
            message: "this needs pkg-a: run `sudo apt-get install --no-install-recommends pkg-a`",
        });
        assert.deepEqual(asked(), []);
    });

    it("fail with what apt-get says", async () => {
        fakeApt(100);
        process.getuid = () => 0;
        await assert.rejects(ensurePackages({ "no-such-a": "pkg-a" }), {
            message: "apt-get update: ended with exit code 100\n  E: no",
        });
    });

    it("are found where a user's PATH does not look", () => {
        process.env.PATH = "";
        assert.equal(findProgram("no-such-a"), undefined);
        assert.match(findProgram("sh") ?? "", /\/bin\/sh$/);
    });
});
