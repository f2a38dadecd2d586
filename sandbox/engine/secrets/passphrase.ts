import { createCipheriv, createDecipheriv, pbkdf2, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { UserError } from "../cli/errors";

/*
 * Pulumi's passphrase secrets provider: AES-256-GCM under a key from PBKDF2-SHA256. A ciphertext is
 * `v1:<nonce>:<text and tag>` in base64; a stack's `encryptionsalt` is `v1:<salt>:<ciphertext of
 * "pulumi">`, whose second half tells a wrong passphrase from a right one.
 */
const ITERATIONS = 1_000_000;
const KEY_BYTES = 32;
const SALT_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CHECK_TEXT = "pulumi";

export class Crypter {
    // Encrypting the same text again gives the same ciphertext, so that a no-op leaves the state
    // file as it is.
    readonly #known = new Map<string, string>();

    constructor(
        readonly salt: string,
        private readonly key: Buffer,
    ) {}

    encrypt(plaintext: string): string {
        const known = this.#known.get(plaintext);
        if (known !== undefined) return known;
        const ciphertext = seal(this.key, plaintext);
        this.#known.set(plaintext, ciphertext);
        return ciphertext;
    }

    decrypt(ciphertext: string): string {
        const plaintext = open(this.key, ciphertext);
        this.#known.set(plaintext, ciphertext);
        return plaintext;
    }
}

/** @throws UserError when the passphrase is not the one the salt was made with. */
export async function openCrypter(salt: string): Promise<Crypter> {
    const [version, encodedSalt, ...check] = salt.split(":");
    if (version !== "v1" || encodedSalt === undefined || check.length === 0) {
        throw new UserError(`unknown state version in encryptionsalt '${salt.slice(0, 8)}…'`);
    }
    const key = await deriveKey(readPassphrase(), Buffer.from(encodedSalt, "base64"));
    try {
        if (open(key, check.join(":")) === CHECK_TEXT) return new Crypter(salt, key);
    } catch {
        // Falls through: a tag that does not verify is a wrong passphrase.
    }
    throw new UserError("incorrect passphrase");
}

export async function createCrypter(): Promise<Crypter> {
    const salt = randomBytes(SALT_BYTES);
    const key = await deriveKey(readPassphrase(), salt);
    return new Crypter(`v1:${salt.toString("base64")}:${seal(key, CHECK_TEXT)}`, key);
}

function readPassphrase(): string {
    const direct = process.env["PULUMI_CONFIG_PASSPHRASE"];
    if (direct !== undefined) return direct;
    const file = process.env["PULUMI_CONFIG_PASSPHRASE_FILE"];
    if (file !== undefined && file !== "") {
        try {
            return readFileSync(file, "utf8").trim();
        } catch (error) {
            throw new UserError(
                `unable to read PULUMI_CONFIG_PASSPHRASE_FILE: ${(error as Error).message}`,
            );
        }
    }
    throw new UserError(
        "passphrase must be set with PULUMI_CONFIG_PASSPHRASE or " +
            "PULUMI_CONFIG_PASSPHRASE_FILE environment variables",
    );
}

function deriveKey(passphrase: string, salt: Buffer): Promise<Buffer> {
    return promisify(pbkdf2)(passphrase, salt, ITERATIONS, KEY_BYTES, "sha256");
}

function seal(key: Buffer, plaintext: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    const text = Buffer.concat([cipher.update(plaintext, "utf8"), cipher.final()]);
    const sealed = Buffer.concat([text, cipher.getAuthTag()]);
    return `v1:${nonce.toString("base64")}:${sealed.toString("base64")}`;
}

function open(key: Buffer, ciphertext: string): string {
    const [version, nonce, encoded] = ciphertext.split(":");
    if (version !== "v1" || nonce === undefined || encoded === undefined) {
        throw new UserError("bad value: a ciphertext must look like v1:<nonce>:<text>");
    }
    const sealed = Buffer.from(encoded, "base64");
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    const text = sealed.subarray(0, sealed.length - TAG_BYTES);
    return Buffer.concat([decipher.update(text), decipher.final()]).toString("utf8");
}
