// lane: shared, about 5 s
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as path from "node:path";
import { ensureSandboxPackages } from "../../sandbox/machine/needs";
import { requireCluster } from "../support/cluster";

const ROOT = path.join(__dirname, "..", "..");

/** Runs in a network of its own, whose tables are nobody's. */
const SCRIPT = `
    const { execFileSync } = require("node:child_process");
    const { removeEmptyTables, tablesOfIptables } = require("./sandbox/machine/tables");
    const rule = (...args) => execFileSync("iptables-nft", args);
    (async () => {
        const seen = {};
        seen.before = await tablesOfIptables();
        rule("-t", "nat", "-N", "CUTOVER-test");
        rule("-t", "nat", "-I", "OUTPUT", "1", "-j", "CUTOVER-test");
        rule("-t", "filter", "-I", "INPUT", "1", "-j", "ACCEPT");
        await removeEmptyTables([]);
        seen.inUse = await tablesOfIptables();
        rule("-t", "nat", "-D", "OUTPUT", "1");
        await removeEmptyTables([]);
        seen.withChain = await tablesOfIptables();
        rule("-t", "nat", "-X", "CUTOVER-test");
        rule("-t", "filter", "-D", "INPUT", "1");
        rule("-t", "filter", "-P", "FORWARD", "DROP");
        await removeEmptyTables([]);
        seen.withPolicy = await tablesOfIptables();
        rule("-t", "filter", "-P", "FORWARD", "ACCEPT");
        await removeEmptyTables(["filter"]);
        seen.before2 = await tablesOfIptables();
        await removeEmptyTables([]);
        seen.after = await tablesOfIptables();
        console.log(JSON.stringify(seen));
    })();`;

describe("iptables' tables that a sandbox made", function () {
    this.timeout(60_000);

    before(async function () {
        const { sandbox } = await requireCluster.call(this);
        if (!sandbox) return this.skip();
        await ensureSandboxPackages(() => undefined);
    });

    it("go when they are empty, and stay with anything in them or if they were there before", () => {
        const node = [process.execPath, "-r", "ts-node/register/transpile-only", "-e", SCRIPT];
        const printed = execFileSync("unshare", ["--net", "--", ...node], {
            cwd: ROOT,
            encoding: "utf8",
        });
        assert.deepEqual(JSON.parse(printed), {
            before: [],
            inUse: ["nat", "filter"],
            withChain: ["nat", "filter"],
            withPolicy: ["filter"],
            before2: ["filter"],
            after: [],
        });
    });
});
