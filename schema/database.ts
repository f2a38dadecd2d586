import { z } from "zod";
import { numericText, resources } from "./common";

/** Stack config key `database`: Postgres in the cluster, or with `host` one that exists elsewhere. */
export const database = z.strictObject({
    database: z.string().optional(),
    apiUser: z.string().optional(),
    urlAsEnv: z.boolean().optional(),

    image: z.string().optional(),
    user: z.string().optional(),
    storage: z.string().optional(),
    storageClassName: z.string().optional(),
    passwordVersion: numericText.optional(),
    resources: resources.optional(),
    imagePullSecrets: z.array(z.string()).optional(),

    host: z.string().optional(),
    port: z.number().optional(),
    password: numericText.optional(),
    passwordSecret: z.strictObject({ name: z.string(), key: z.string().optional() }).optional(),
});
