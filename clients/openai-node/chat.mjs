// The official package for Node, through Chat Completions.

import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { ABOUT, CITY, KEY, MODEL, URL, drive, image, weather } from "./driving.mjs";

const client = new OpenAI({ baseURL: URL, apiKey: KEY, maxRetries: 0, timeout: 30_000 });
const Report = z.object({ city: z.string(), degrees: z.int() });

const ask = (content, more) =>
  client.chat.completions.create({ model: MODEL, messages: [{ role: "user", content }], ...more });
const counted = (usage) => [usage.prompt_tokens, usage.completion_tokens];

async function models() {
  const found = [];
  for await (const model of client.models.list()) found.push(model.id);
  return { models: found };
}

async function answer(prompt) {
  const { choices, usage } = await ask(prompt);
  return { text: choices[0].message.content, usage: counted(usage) };
}

async function stream(prompt) {
  const chunks = client.chat.completions.stream({ model: MODEL, messages: [{ role: "user", content: prompt }] });
  const pieces = [];
  chunks.on("content.delta", ({ delta }) => pieces.push(delta));
  await chunks.done();
  return { pieces };
}

async function tools(prompt) {
  const called = [];
  const get_weather = ({ city }) => {
    called.push(city);
    return weather(city);
  };
  const tool = { name: "get_weather", description: ABOUT, parameters: CITY, parse: JSON.parse, function: get_weather };
  const runner = client.chat.completions.runTools({
    model: MODEL,
    messages: [{ role: "user", content: prompt }],
    tools: [{ type: "function", function: tool }],
  });
  return { text: await runner.finalContent(), called };
}

async function conversation(prompt) {
  const messages = [];
  const texts = [];
  for (const content of prompt.split("\n")) {
    messages.push({ role: "user", content });
    const { choices } = await client.chat.completions.create({ model: MODEL, messages });
    messages.push(choices[0].message);
    texts.push(choices[0].message.content);
  }
  return { texts };
}

async function shown(prompt) {
  const { choices } = await ask([
    { type: "text", text: prompt },
    { type: "image_url", image_url: { url: image() } },
  ]);
  return { text: choices[0].message.content };
}

async function schema(prompt) {
  const { choices } = await client.chat.completions.parse({
    model: MODEL,
    messages: [{ role: "user", content: prompt }],
    response_format: zodResponseFormat(Report, "report"),
  });
  return { value: choices[0].message.parsed };
}

async function reasoning(prompt) {
  const { choices } = await ask(prompt, { reasoning_effort: "high" });
  return { reasoning: choices[0].message.reasoning_content ?? null, text: choices[0].message.content };
}

await drive({ models, answer, stream, usage: answer, tools, conversation, image: shown, schema, reasoning });
