"""The instruments, with the US symbols that the demo and the simulator know."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLE = """
CREATE TABLE instruments (
    symbol      text PRIMARY KEY CHECK (symbol <> '' AND length(symbol) <= 64),
    name        text NOT NULL CHECK (name <> ''),
    exchange    text NOT NULL CHECK (exchange <> ''),
    currency    text NOT NULL DEFAULT 'USD' CHECK (currency ~ '^[A-Z0-9]{3,8}$'),
    asset_class text NOT NULL CHECK (asset_class IN ('equity', 'etf', 'crypto', 'fx', 'future', 'index')),
    sector      text,
    tick_size   numeric(20, 10) NOT NULL CHECK (tick_size > 0),
    calendar    text NOT NULL CHECK (calendar <> '')
);
COMMENT ON TABLE instruments IS
    'What is traded: exchange is a market identifier code (ISO 10383), sector a GICS sector, calendar a name '
    'of exchange_calendars';
CREATE INDEX instruments_by_sector ON instruments (sector);
"""

_SEED = """
INSERT INTO instruments (symbol, name, exchange, currency, asset_class, sector, tick_size, calendar) VALUES
    ('AAPL',  'Apple Inc.',                       'XNAS', 'USD', 'equity', 'Information Technology', 0.01, 'XNYS'),
    ('AIG',   'American International Group',     'XNYS', 'USD', 'equity', 'Financials',             0.01, 'XNYS'),
    ('AMZN',  'Amazon.com Inc.',                  'XNAS', 'USD', 'equity', 'Consumer Discretionary', 0.01, 'XNYS'),
    ('BAC',   'Bank of America Corporation',      'XNYS', 'USD', 'equity', 'Financials',             0.01, 'XNYS'),
    ('C',     'Citigroup Inc.',                   'XNYS', 'USD', 'equity', 'Financials',             0.01, 'XNYS'),
    ('CSCO',  'Cisco Systems Inc.',               'XNAS', 'USD', 'equity', 'Information Technology', 0.01, 'XNYS'),
    ('CVX',   'Chevron Corporation',              'XNYS', 'USD', 'equity', 'Energy',                 0.01, 'XNYS'),
    ('DIS',   'The Walt Disney Company',          'XNYS', 'USD', 'equity', 'Communication Services', 0.01, 'XNYS'),
    ('GE',    'General Electric Company',         'XNYS', 'USD', 'equity', 'Industrials',            0.01, 'XNYS'),
    ('GOOGL', 'Alphabet Inc. Class A',            'XNAS', 'USD', 'equity', 'Communication Services', 0.01, 'XNYS'),
    ('IBM',   'International Business Machines',  'XNYS', 'USD', 'equity', 'Information Technology', 0.01, 'XNYS'),
    ('INTC',  'Intel Corporation',                'XNAS', 'USD', 'equity', 'Information Technology', 0.01, 'XNYS'),
    ('JNJ',   'Johnson & Johnson',                'XNYS', 'USD', 'equity', 'Health Care',            0.01, 'XNYS'),
    ('JPM',   'JPMorgan Chase & Co.',             'XNYS', 'USD', 'equity', 'Financials',             0.01, 'XNYS'),
    ('KO',    'The Coca-Cola Company',            'XNYS', 'USD', 'equity', 'Consumer Staples',       0.01, 'XNYS'),
    ('META',  'Meta Platforms Inc. Class A',      'XNAS', 'USD', 'equity', 'Communication Services', 0.01, 'XNYS'),
    ('MSFT',  'Microsoft Corporation',            'XNAS', 'USD', 'equity', 'Information Technology', 0.01, 'XNYS'),
    ('NVDA',  'NVIDIA Corporation',               'XNAS', 'USD', 'equity', 'Information Technology', 0.01, 'XNYS'),
    ('PFE',   'Pfizer Inc.',                      'XNYS', 'USD', 'equity', 'Health Care',            0.01, 'XNYS'),
    ('PG',    'The Procter & Gamble Company',     'XNYS', 'USD', 'equity', 'Consumer Staples',       0.01, 'XNYS'),
    ('QQQ',   'Invesco QQQ Trust',                'XNAS', 'USD', 'etf',    NULL,                     0.01, 'XNYS'),
    ('SPY',   'SPDR S&P 500 ETF Trust',           'ARCX', 'USD', 'etf',    NULL,                     0.01, 'XNYS'),
    ('TSLA',  'Tesla Inc.',                       'XNAS', 'USD', 'equity', 'Consumer Discretionary', 0.01, 'XNYS'),
    ('WMT',   'Walmart Inc.',                     'XNYS', 'USD', 'equity', 'Consumer Staples',       0.01, 'XNYS'),
    ('XOM',   'Exxon Mobil Corporation',          'XNYS', 'USD', 'equity', 'Energy',                 0.01, 'XNYS');
"""


def upgrade() -> None:
    op.execute(_TABLE)
    op.execute(_SEED)


def downgrade() -> None:
    op.execute("DROP TABLE instruments")
