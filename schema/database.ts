import { z } from "zod";
import { resources } from "./common";

/** `pulumi config set --path` makes a number of what looks like one. */
const numberAsText = (raw: unknown): unknown => (typeof raw === "number" ? String(raw) : raw);

const text = z.preprocess(numberAsText, z.string()).optional();

/** Stack config key `database`: Postgres in the cluster, or with `host` one that exists elsewhere. */
export const database = z.strictObject({
    database: z.string().optional(),
    apiUser: z.string().optional(),
    urlAsEnv: z.boolean().optional(),

    image: z.string().optional(),
    user: z.string().optional(),
    storage: z.string().optional(),
    storageClassName: z.string().optional(),
    passwordVersion: text,
    resources: resources.optional(),
    imagePullSecrets: z.array(z.string()).optional(),

    host: z.string().optional(),
    port: z.number().optional(),
    password: text,
    passwordSecret: z.strictObject({ name: z.string(), key: z.string().optional() }).optional(),
});
