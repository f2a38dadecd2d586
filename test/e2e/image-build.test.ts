// lane: shared, about 20 s
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Buildah } from "../../sandbox/images/buildah";
import { ensurePackages } from "../../sandbox/images/packages";
import { mountsBelow } from "../../sandbox/machine/mounts";
import { until } from "../../sandbox/machine/until";
import { buildPrograms } from "../../sandbox/programs";
import { silentProgress } from "../../scripts/progress";
import { requireCluster } from "../support/cluster";

/** Runs for ever as the only program of an image: the sandbox's own pause. */
const DOCKERFILE = 'FROM scratch\nCOPY pause /pause\nRUN ["/pause"]\n';
const REF = "cutover.local/never:1";

describe("an image build that is cut off", function () {
    this.timeout(120_000);
    let folder: string;
    let context: string;
    let store: string;

    before(async function () {
        await requireCluster.call(this);
        await ensurePackages({ buildah: "buildah" });
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "image build-"));
        context = path.join(folder, "context");
        store = path.join(folder, "store");
        fs.mkdirSync(context);
        fs.writeFileSync(path.join(context, "Dockerfile"), DOCKERFILE);
        const { pause } = await buildPrograms(silentProgress);
        fs.copyFileSync(pause, path.join(context, "pause"));
        fs.chmodSync(path.join(context, "pause"), 0o755);
    });

    after(() => {
        if (!folder) return;
        for (const mount of mountsBelow(folder)) execFileSync("umount", [mount]);
        fs.rmSync(folder, { recursive: true });
    });

    /** Processes whose root is inside the store: the RUN step's. */
    function running(): string[] {
        return fs.readdirSync("/proc").filter((pid) => {
            try {
                return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith("/pause\0");
            } catch {
                return false;
            }
        });
    }

    it("leaves neither a mount nor a process, and the next one starts clean", async () => {
        const others = running();
        const abort = new AbortController();
        const built = new Buildah({ folder: store, signal: abort.signal }).build({
            context,
            ref: REF,
        });
        const failed = assert.rejects(built, /interrupted/);
        const ours = () => running().filter((pid) => !others.includes(pid));
        await until({
            what: "the RUN step runs",
            timeoutMs: 60_000,
            check: () => ours().length > 0,
        });
        abort.abort(new Error("interrupted"));
        await failed;
        await until({
            what: "the RUN step has ended",
            timeoutMs: 10_000,
            check: () => ours().length === 0,
        });
        assert.deepEqual(mountsBelow(folder), []);

        const buildah = new Buildah({ folder: store });
        await buildah.heal();
        assert.deepEqual(fs.readdirSync(path.join(store, "tmp")), []);
        fs.writeFileSync(path.join(context, "Dockerfile"), "FROM scratch\nCOPY pause /pause\n");
        await buildah.build({ context, ref: REF });
        assert.equal(await buildah.has(REF), true);
    });

    it("of an earlier version left a mount: the next one takes it away", async () => {
        const stale = path.join(store, "store", "overlay", "abc", "merged");
        fs.mkdirSync(stale, { recursive: true });
        execFileSync("mount", ["-t", "tmpfs", "stale", stale]);
        assert.deepEqual(mountsBelow(store), [stale]);
        await new Buildah({ folder: store }).heal();
        assert.deepEqual(mountsBelow(store), []);
    });
});
