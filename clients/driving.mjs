// What the drivers for Node share; driving.py says what a driver is.

import { readFileSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";

export const URL = process.argv[2];
export const KEY = process.env.CLAUDE_OPENAI_API_KEY;
export const MODEL = "sonnet";

export const ABOUT = "Tells the weather in a city.";
export const CITY = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
export const weather = (city) => `21 degrees in ${city}`;

export const image = () => `data:image/png;base64,${readFileSync("square.png", "base64")}`;

const say = (value) => writeSync(1, `${JSON.stringify(value)}\n`);

/** Do what is asked, until nothing more is, or something goes wrong. */
export async function drive(capabilities) {
  console.log = console.info = console.error; // what a client prints is not an answer
  say(Object.keys(capabilities));
  for await (const line of createInterface({ input: process.stdin })) {
    const { capability, prompt } = JSON.parse(line);
    say(await capabilities[capability](prompt).catch(complain));
  }
}

/** The last line is what went wrong, as in Python. */
function complain(error) {
  console.error(error.stack, `\n${error.name}: ${error.message} ${error.responseBody ?? ""}`);
  process.exit(1);
}
