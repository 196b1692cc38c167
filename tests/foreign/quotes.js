// The server of the npm package `soap`, as its documentation starts it, behind webserviceX's description of stock quotes.
const http = require("http"), fs = require("fs"), path = require("path");
const soap = require(path.join(process.argv[2], "soap"));

const stock = (symbol) => `<Stock><Symbol>${symbol}</Symbol><Last>27.66</Last><Name>${symbol} & Co</Name></Stock>`.replace("&", "&amp;");
const quotes = {
  StockQuote: {
    StockQuoteSoap: {
      GetQuote: (args) => {
        if (args.symbol === "NONE") {
          throw { Fault: { faultcode: "soap:Server", faultstring: "没有数据", statusCode: 500 } };
        }
        return { GetQuoteResult: `<StockQuotes>${String(args.symbol).split(" ").map(stock).join("")}</StockQuotes>` };
      },
    },
  },
};
quotes.StockQuote.StockQuoteSoap12 = quotes.StockQuote.StockQuoteSoap;
const server = http.createServer((request, response) => response.writeHead(404).end());
server.listen(Number(process.argv[3]), "127.0.0.1", () => {
  soap.listen(server, "/quotes", quotes, fs.readFileSync(process.argv[4], "utf8"));
});
