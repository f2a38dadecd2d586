// Lets `require` load TypeScript, transpiled once and kept by content: a start that finds everything
// in the cache loads no compiler. Plain JavaScript, because it is what loads the TypeScript. Used for
// the engine itself and, preloaded with --require, for programs.
"use strict";
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const Module = require("node:module");
const os = require("node:os");
const path = require("node:path");

const cacheRoot = process.env.CUTOVER_CACHE ?? path.join(os.homedir(), ".cache", "cutover");
const folder = path.join(cacheRoot, "transpiled");
// In two parts, or this file itself would look as if it had a source map.
const MAP_COMMENT = ["//# source", "MappingURL="].join("");
const outputs = new Map();
const settings = new Map();

/** The nearest tsconfig.json above a file, with its text: what it says is part of a file's key. */
function settingsFor(file) {
    const start = path.dirname(file);
    const known = settings.get(start);
    if (known !== undefined) return known;
    let found = { file: undefined, text: "" };
    for (let at = start; ; at = path.dirname(at)) {
        const candidate = path.join(at, "tsconfig.json");
        if (fs.existsSync(candidate)) {
            found = { file: candidate, text: fs.readFileSync(candidate, "utf8") };
            break;
        }
        if (at === path.dirname(at)) break;
    }
    settings.set(start, found);
    return found;
}

function transpile(file, source, config) {
    const ts = require(require.resolve("typescript", { paths: [path.dirname(file), __dirname] }));
    const own =
        config.file === undefined
            ? {}
            : ts.parseJsonConfigFileContent(
                  ts.readConfigFile(config.file, ts.sys.readFile).config,
                  { ...ts.sys, readDirectory: () => [] },
                  path.dirname(config.file),
              ).options;
    const { outputText, sourceMapText } = ts.transpileModule(source, {
        // As .cts the output is CommonJS, and a dynamic import() stays one: as ts-node has it.
        fileName: file.replace(/\.ts$/, ".cts"),
        compilerOptions: {
            target: ts.ScriptTarget.ES2022,
            ...own,
            module: ts.ModuleKind.NodeNext,
            moduleResolution: ts.ModuleResolutionKind.NodeNext,
            sourceMap: true,
            inlineSourceMap: false,
            incremental: false,
            tsBuildInfoFile: undefined,
            noEmit: false,
            declaration: false,
            removeComments: false,
        },
    });
    const map = { ...JSON.parse(sourceMapText), sources: [file], sourceRoot: "" };
    const code = outputText.slice(0, outputText.lastIndexOf(MAP_COMMENT));
    const encoded = Buffer.from(JSON.stringify(map)).toString("base64");
    return `${code}${MAP_COMMENT}data:application/json;base64,${encoded}\n`;
}

/** Writes through a temporary name, so that a process beside this one never reads half a file. */
function store(file, text) {
    try {
        fs.mkdirSync(path.dirname(file), { recursive: true });
        const temporary = `${file}.${process.pid}.tmp`;
        fs.writeFileSync(temporary, text);
        fs.renameSync(temporary, file);
    } catch {
        // A cache that cannot be written costs time, nothing else.
    }
}

function load(file) {
    const source = fs.readFileSync(file, "utf8");
    const config = settingsFor(file);
    const key = createHash("sha256").update(`2\n${file}\n${config.text}\n${source}`).digest("hex");
    const cached = path.join(folder, `${key}.js`);
    let code;
    try {
        code = fs.readFileSync(cached, "utf8");
    } catch {
        code = transpile(file, source, config);
        store(cached, code);
    }
    outputs.set(file, code);
    return code;
}

Module._extensions[".ts"] = (module, file) => module._compile(load(file), file);

/**
 * Lets stack traces show lines of the TypeScript, and of nothing else. The SDK takes a trace with every
 * resource and every promise: mapping its own files too, whose maps would have to be read, was a tenth
 * of what a program does.
 */
function mapStackTraces(sourceMapSupport) {
    sourceMapSupport.install({
        overrideRetrieveSourceMap: true,
        retrieveSourceMap: (file) => {
            const code = outputs.get(file);
            if (code === undefined) return null;
            const encoded = code.slice(code.lastIndexOf(",") + 1);
            return { url: file, map: Buffer.from(encoded, "base64").toString("utf8") };
        },
    });
    Error.prepareStackTrace = (error, frames) => {
        const lines = frames.map((frame) =>
            outputs.has(frame.getFileName()) ? sourceMapSupport.wrapCallSite(frame) : frame,
        );
        return [Error.prototype.toString.call(error), ...lines].join("\n    at ");
    };
}

module.exports = { cacheRoot, mapStackTraces };

// As a preload of a program: the SDK's runner, named by the environment, has its own copy.
const runner = process.env.CUTOVER_PROGRAM_RUNNER;
if (runner !== undefined) {
    delete process.env.CUTOVER_PROGRAM_RUNNER;
    mapStackTraces(Module.createRequire(runner)("source-map-support"));
}
