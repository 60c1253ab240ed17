/** Answers by itself. */
export default {
  fetch(request: Request): Response {
    const name = decodeURIComponent(new URL(request.url).pathname.split("/")[2] ?? "");
    return new Response(`Hello, ${name}!\n`);
  },
};
