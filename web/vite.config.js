// `npm run dev` shows the page of a server that runs already: RUNE_SERVER=http://127.0.0.1:8080 npm run dev
const server = process.env.RUNE_SERVER ?? "http://127.0.0.1:8080";

export default {
  build: { target: "es2022", cssTarget: "chrome123", assetsInlineLimit: 0 }, // as far back as light-dark() goes
  server: { proxy: { "^/(api|v1)/": { target: server, changeOrigin: true, headers: { origin: server } } } },
};
