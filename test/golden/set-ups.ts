import { readdirSync } from "node:fs";
import path from "node:path";
import { readConfig, texts } from "./render";

/** One file of golden objects. */
export interface SetUp {
    name: string;
    config: Record<string, string>;
    /** The set-up that it is a variant of: then the file has only what differs from it. */
    of?: string;
}

/** The set-ups of the two documents, whole. */
const DOCUMENTS = "document-";

/** The set-up that the other rows are shown against: they have its database, for one. */
const FIRST = "blue-green-service";

const NAMES = readdirSync(path.join(__dirname, "configs"))
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => path.basename(file, ".yaml"))
    .sort((a, b) => (a === FIRST ? -1 : b === FIRST ? 1 : a < b ? -1 : 1));

/** What else can be chosen with a row of the table of strategy, routing and isolation. */
const VARIANTS: Record<string, Record<string, unknown>> = {
    autoscaling: { "cutover:autoscaling": { minReplicas: 3, maxReplicas: 6 } },
    "idle-cold": { "cutover:idle": "cold", "cutover:canaryWeight": 0 },
    "idle-1": { "cutover:idle": 1, "cutover:canaryWeight": 0 },
    "green-active": { "cutover:activeColor": "green" },
    "everything-to-canary": { "cutover:canaryWeight": 100 },
    "no-canary": { "cutover:canary": undefined, "cutover:canaryWeight": 0 },
};

/** Which variants each row can have. */
function variantsOf(row: string): string[] {
    if (row.startsWith(DOCUMENTS)) return [];
    if (row.startsWith("rolling")) return ["autoscaling"];
    if (row.startsWith("canary")) {
        const pods = row === "canary-service";
        return ["everything-to-canary", "no-canary", ...(pods ? [] : ["autoscaling"])];
    }
    return ["autoscaling", "idle-cold", "idle-1", "green-active"];
}

/** Every valid row with its variants, and the set-ups of both documents. */
export const SET_UPS: readonly SetUp[] = NAMES.flatMap((name): SetUp[] => {
    const config = readConfig(name);
    const variants = variantsOf(name).map((variant) => {
        const changes = VARIANTS[variant] ?? {};
        const kept = Object.entries(config).filter(([key]) => !(key in changes));
        const added = Object.entries(changes).filter(([, value]) => value !== undefined);
        return {
            name: `${name}+${variant}`,
            config: { ...Object.fromEntries(kept), ...texts(Object.fromEntries(added)) },
            of: name,
        };
    });
    const alone = name === FIRST || name.startsWith(DOCUMENTS);
    return [{ name, config, ...(!alone && { of: FIRST }) }, ...variants];
});
