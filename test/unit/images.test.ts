import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { onlySuite } from "../../sandbox/images/apt";
import { packLayout } from "../../sandbox/images/archive";
import { setHash } from "../../sandbox/images/build";
import { contentHash, folderHash } from "../../sandbox/images/content";
import { parseImageList } from "../../sandbox/images/index";
import { run } from "../../sandbox/images/run";
import { API_IMAGES, IMAGE_SETS, NGINX_IMAGE, POSTGRES_IMAGE } from "../../sandbox/images/table";
import { CliError } from "../../scripts/errors";

describe("images", () => {
    let folder: string;
    beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "images-"))));
    afterEach(() => fs.rmSync(folder, { recursive: true }));

    function write(file: string, text: string, mode = 0o644): void {
        const full = path.join(folder, file);
        fs.mkdirSync(path.dirname(full), { recursive: true });
        fs.writeFileSync(full, text);
        fs.chmodSync(full, mode);
    }

    describe("the table", () => {
        it("names every image once, in a registry that does not exist", () => {
            const refs = Object.values(IMAGE_SETS).flatMap(({ images }) => Object.keys(images));
            assert.deepEqual(refs, [
                "cutover.local/endpoint-stats:1.0.0",
                "cutover.local/endpoint-stats:2.0.0",
                "cutover.local/endpoint-stats:2.0.1-never-ready",
                "cutover.local/endpoint-stats:2.0.2-crashes",
                "cutover.local/endpoint-stats:2.0.3-errors",
                "cutover.local/endpoint-stats:2.0.4-slow",
                "cutover.local/postgres:14",
                "cutover.local/nginx:1.22",
            ]);
            assert.deepEqual(refs, [...Object.values(API_IMAGES), POSTGRES_IMAGE, NGINX_IMAGE]);
        });

        for (const [name, { context, baseArg, images }] of Object.entries(IMAGE_SETS)) {
            it(`gives ${name} build arguments that its Dockerfile has, on a public base by default`, () => {
                const text = fs.readFileSync(path.join(context, "Dockerfile"), "utf8");
                const declared = [...text.matchAll(/^ARG (\w+)/gm)].map((match) => match[1]);
                const given = new Set([baseArg, ...Object.values(images).flatMap(Object.keys)]);
                assert.deepEqual(
                    [...given].filter((arg) => !declared.includes(arg)),
                    [],
                );
                assert.match(text, new RegExp(`^ARG ${baseArg}=(node|debian):\\S+$`, "m"));
                assert.match(text, /^USER [1-9]\d*:[1-9]\d*$/m);
            });
        }

        it("has every image that the stack for the sandbox uses", () => {
            const stack = fs.readFileSync(path.join(__dirname, "../../Pulumi.dev.yaml"), "utf8");
            const used = stack.match(/cutover\.local\/[^\s"']+/g) ?? [];
            const known = Object.values(IMAGE_SETS).flatMap(({ images }) => Object.keys(images));
            assert.ok(used.length >= 2, "expected a release and a database");
            assert.deepEqual(
                used.filter((ref) => !known.includes(ref)),
                [],
            );
        });

        it("makes the releases differ in what the API answers", () => {
            const args = IMAGE_SETS.api.images;
            const good = [args[API_IMAGES["1.0.0"]], args[API_IMAGES["2.0.0"]]];
            assert.equal(new Set(good.map((each) => each?.GREETING)).size, 2);
            for (const [ref, { RELEASE }] of Object.entries(args)) {
                assert.ok(ref.endsWith(`:${RELEASE}`), ref);
            }
        });
    });

    it("bundle the same packages as the API's own lock file names", () => {
        const root = readJson("../../package.json").devDependencies;
        const api = readJson("../../sandbox/api/package.json");
        const wanted = { ...api.dependencies, ...api.devDependencies };
        const here = Object.fromEntries(Object.keys(wanted).map((name) => [name, root?.[name]]));
        assert.deepEqual(here, wanted);
        // The same for what those bring along.
        const rootLock = readJson("../../package-lock.json").packages ?? {};
        const apiLock = readJson("../../sandbox/api/package-lock.json").packages ?? {};
        const versions = Object.entries(apiLock).filter(([name]) =>
            name.startsWith("node_modules/"),
        );
        assert.ok(versions.length > 10);
        for (const [name, { version }] of versions) {
            assert.equal(rootLock[name]?.version, version, name);
        }
    });

    describe("content hashes", () => {
        it("do not depend on the order of keys and do on every value", () => {
            assert.equal(
                contentHash({ a: 1, b: { c: 2, d: 3 } }),
                contentHash({ b: { d: 3, c: 2 }, a: 1 }),
            );
            assert.notEqual(contentHash({ a: 1 }), contentHash({ a: 2 }));
            assert.notEqual(contentHash(["a", "b"]), contentHash(["b", "a"]));
        });

        it("of a folder follow names, contents and who may run what", () => {
            write("Dockerfile", "FROM scratch");
            write("src/main.ts", "1");
            const seen = [folderHash(folder)];
            write("src/main.ts", "2");
            seen.push(folderHash(folder));
            write("src/main.ts", "2", 0o755);
            seen.push(folderHash(folder));
            fs.renameSync(path.join(folder, "src/main.ts"), path.join(folder, "src/other.ts"));
            seen.push(folderHash(folder));
            assert.equal(new Set(seen).size, 4);
        });

        it("of a folder follow neither its place, nor a checkout's umask, nor what is ignored", () => {
            write("one/src/main.ts", "1", 0o644);
            write("two/src/main.ts", "1", 0o600);
            for (const name of ["one", "two"])
                write(`${name}/.dockerignore`, "node_modules\ndist\n");
            write("two/node_modules/pg/index.js", "installed");
            write("two/dist/server.js", "built");
            const hash = (name: string) => folderHash(path.join(folder, name));
            assert.equal(hash("one"), hash("two"));
            write("two/src/dist", "not the one that is ignored");
            assert.notEqual(hash("one"), hash("two"));
        });

        it("of two sets differ and stay", () => {
            assert.notEqual(setHash("api"), setHash("postgres"));
            assert.equal(setHash("api"), setHash("api"));
        });
    });

    it("come from the machine's sources of one Debian release, each once", () => {
        const listed = [
            "bookworm deb scheme://mirror/debian/ bookworm main",
            "bookworm deb scheme://mirror/debian/ bookworm main",
            "bookworm-updates deb scheme://mirror/debian/ bookworm-updates main",
            "bookworm-security deb scheme://mirror/security/ bookworm-security main",
            "bookworm-backports deb scheme://mirror/debian/ bookworm-backports main",
            "trixie deb scheme://mirror/debian/ trixie main",
            "",
        ].join("\n");
        assert.equal(
            onlySuite(listed, "bookworm"),
            "deb scheme://mirror/debian/ bookworm main\n" +
                "deb scheme://mirror/debian/ bookworm-updates main\n" +
                "deb scheme://mirror/security/ bookworm-security main\n",
        );
        assert.equal(onlySuite("trixie deb scheme://mirror/debian/ trixie main\n", "bookworm"), "");
    });

    it("are named for containerd in the packed archive, which is the same every time", async () => {
        const manifests = [
            {
                digest: "sha256:aa",
                annotations: { "org.opencontainers.image.ref.name": "x.local/a:1" },
            },
            {
                digest: "sha256:bb",
                annotations: { "org.opencontainers.image.ref.name": "x.local/a:2" },
            },
        ];
        const archives: Buffer[] = [];
        for (const name of ["first", "second"]) {
            write(`${name}/index.json`, JSON.stringify({ schemaVersion: 2, manifests }));
            write(`${name}/blobs/sha256/aa`, "layer");
            const archive = path.join(folder, `${name}.tar`);
            assert.deepEqual(await packLayout(path.join(folder, name), archive), [
                { ref: "x.local/a:1", digest: "sha256:aa" },
                { ref: "x.local/a:2", digest: "sha256:bb" },
            ]);
            archives.push(fs.readFileSync(archive));
        }
        assert.ok(archives[0]?.equals(archives[1] ?? Buffer.alloc(0)));
        const index = await run("tar", ["-xOf", path.join(folder, "first.tar"), "./index.json"]);
        const packed = JSON.parse(index) as {
            manifests: { annotations: Record<string, string> }[];
        };
        assert.deepEqual(
            packed.manifests.map(({ annotations }) => annotations["io.containerd.image.name"]),
            ["x.local/a:1", "x.local/a:2"],
        );
    });

    it("are known in containerd by name and digest", () => {
        const listed =
            "REF                    TYPE                                       DIGEST    SIZE      PLATFORMS   LABELS\n" +
            "cutover.local/a:1      application/vnd.oci.image.manifest.v1+json sha256:aa 249.7 MiB linux/amd64 -\n" +
            "cutover.local/pause:3  application/vnd.oci.image.manifest.v1+json sha256:bb 1.2 MiB   linux/amd64 io.cri-containerd.image=managed\n";
        assert.deepEqual(
            [...parseImageList(listed)],
            [
                ["cutover.local/a:1", "sha256:aa"],
                ["cutover.local/pause:3", "sha256:bb"],
            ],
        );
    });

    describe("a program that is run", () => {
        it("gets its input and hands over its output", async () => {
            assert.equal(await run("tr", ["a-z", "A-Z"], { input: "quiet" }), "QUIET");
        });

        it("fails with its name, its exit code and its last lines", async () => {
            const script = "for i in $(seq 30); do echo line $i >&2; done; exit 3";
            await assert.rejects(run("sh", ["-c", script]), (error: unknown) => {
                assert.ok(error instanceof CliError);
                assert.match(error.message, /^sh -c: ended with exit code 3\n {2}line 16\n/);
                assert.match(error.message, /line 30$/);
                return true;
            });
        });

        it("fails with its name when there is no such program", async () => {
            await assert.rejects(run("no-such-program", []), /no-such-program.*ENOENT/);
        });

        it("ends when it is told to", async () => {
            const started = Date.now();
            const signal = AbortSignal.timeout(100);
            await assert.rejects(run("sleep", ["10"], { signal }), { name: "TimeoutError" });
            assert.ok(Date.now() - started < 5000);
        });
    });
});

interface PackageFile {
    dependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
    packages?: Record<string, { version?: string }>;
}

function readJson(file: string): PackageFile {
    return JSON.parse(fs.readFileSync(path.join(__dirname, file), "utf8")) as PackageFile;
}
