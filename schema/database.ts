import { z } from "zod";
import { resources } from "./common";

/** `pulumi config set --path` makes a number of what looks like one. */
const numberAsText = (raw: unknown): unknown => (typeof raw === "number" ? String(raw) : raw);

/** Stack config key `database`: Postgres in the cluster. */
export const database = z.strictObject({
    image: z.string().optional(),
    database: z.string().optional(),
    user: z.string().optional(),
    apiUser: z.string().optional(),
    storage: z.string().optional(),
    storageClassName: z.string().optional(),
    passwordVersion: z.preprocess(numberAsText, z.string()).optional(),
    resources: resources.optional(),
    imagePullSecrets: z.array(z.string()).optional(),
});
